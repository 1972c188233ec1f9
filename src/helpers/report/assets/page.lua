-- Outputs come as raw blocks of the format "page", already cleaned. HTML that stands in the prose
-- is shown as text; pictures from outside become their text, and so do links that lead neither to
-- the web nor to a place of this report.
function RawBlock(el)
  if el.format == 'page' then return pandoc.RawBlock('html', el.text) end
  return pandoc.Para { pandoc.Str(el.text) }
end

function RawInline(el)
  if el.text:match('^<br%s*/?>$') then return pandoc.LineBreak() end
  return pandoc.Str(el.text)
end

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
