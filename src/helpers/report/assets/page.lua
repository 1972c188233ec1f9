-- Prose may not bring in anything from outside: pictures become their text, and links other than
-- to the web or to a place on the page become their text too.
function Image(el)
  if el.src:match('^data:image/') then return el end
  return el.caption
end

function Link(el)
  if el.target:match('^https?://') or el.target:match('^#') or el.target:match('^[%w_%-]+%.html') then
    return el
  end
  return el.content
end
