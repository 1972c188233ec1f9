-- Outputs come as raw blocks of the format "page", already cleaned. For a web page they pass as
-- they are; for print they are read as a document, so that tables become native tables and boxes
-- get their style. HTML that stands in the prose is shown as text; pictures from outside become
-- their text, and so do links that lead neither to the web nor to a place of this report.
local BOXES = {
  reading = 'Reading', banner = 'Banner', unavailable = 'Unavailable',
  trouble = 'Trouble', ['table-note'] = 'Table Note',
}

local function boxed(el)
  for class, style in pairs(BOXES) do
    if el.classes:includes(class) then
      if FORMAT:match('typst') then
        local blocks = pandoc.Blocks { pandoc.RawBlock('typst', '#' .. class .. '[') }
        blocks:extend(el.content)
        blocks:insert(pandoc.RawBlock('typst', ']'))
        return blocks
      end
      el.attributes['custom-style'] = style
      return el
    end
  end
  return el.content
end

-- Word shares the page equally among columns unless it is told; so each gets room by its longest
-- cell, a Chinese character counting twice.
local LINE, LONGEST = 84, 40

local function length(blocks)
  local n = 0
  for _, point in utf8.codes(pandoc.utils.stringify(blocks)) do
    n = n + (point >= 0x2E80 and 2 or 1)
  end
  return math.min(n, LONGEST) + 5
end

local function widened(el)
  local longest, total = {}, 0
  local rows = pandoc.List(el.head.rows):clone()
  for _, body in ipairs(el.bodies) do rows:extend(body.body) end
  for _, row in ipairs(rows) do
    if #row.cells == #el.colspecs then
      for i, cell in ipairs(row.cells) do
        longest[i] = math.max(longest[i] or 0, length(cell.contents))
      end
    end
  end
  for i = 1, #el.colspecs do total = total + (longest[i] or 3) end
  for i = 1, #el.colspecs do
    el.colspecs[i] = { el.colspecs[i][1], (longest[i] or 3) / math.max(total, LINE) }
  end
  return el
end

-- At the start of a cell typst takes "1." or "+" for the mark of a list.
local function unlisted(el)
  if el.text:match('^%d+%.$') or el.text:match('^[%+%-=/]$') then
    return pandoc.RawInline('typst', (el.text:gsub('[%.%+%-=/]', '\\%0')))
  end
end

function RawBlock(el)
  if el.format == 'typst' then return el end
  if el.format ~= 'page' then return pandoc.Para { pandoc.Str(el.text) } end
  if FORMAT:match('html') then return pandoc.RawBlock('html', el.text) end
  local blocks = pandoc.read(el.text, 'html').blocks:walk { Div = boxed }
  if FORMAT:match('docx') then return blocks:walk { Table = widened } end
  return blocks:walk { Str = unlisted }
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
