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

-- Word and typst share the page equally among wide columns unless told. Each gets what its longest
-- cell asks for; where that is more than the page has, at least its longest word, so that no number is
-- broken. Widths are counted in digits of the size in which cells are set.
local LINE = FORMAT:match('docx') and 93 or 102
local MOST, MARGIN, RUN = 70, 1.8, 4
local NARROW = " .,:;[]()'|ilj/"

local function wide(point)
  if point >= 0x2E80 then return 2 end
  if point == 0xA0 or point < 128 and NARROW:find(utf8.char(point), 1, true) then return 0.6 end
  if point >= 65 and point <= 90 or point == 37 or point == 109 or point == 119 then return 1.5 end
  return point >= 0x370 and 1.4 or 1
end

-- The width of a cell on one line, and that of its longest part that should not be broken: a word,
-- or a few Chinese characters.
local function extents(blocks)
  local total, part, longest, run = 0, 0, 0, 0
  for _, point in utf8.codes(pandoc.utils.stringify(blocks)) do
    run = point >= 0x2E80 and run + 1 or 0
    if point == 32 or run > RUN then part, run = 0, 0 end
    total = total + wide(point)
    if point ~= 32 then part = part + wide(point) end
    longest = math.max(longest, part)
  end
  return math.min(total, MOST) + MARGIN, math.min(longest, MOST) + MARGIN
end

local function sum(values)
  local total = 0
  for _, value in ipairs(values) do total = total + value end
  return total
end

local function widened(el)
  local want, need = {}, {}
  for i = 1, #el.colspecs do want[i], need[i] = MARGIN, MARGIN end
  local function ask(rows, lines)
    for _, row in ipairs(rows) do
      for i, cell in ipairs(#row.cells == #want and row.cells or {}) do
        local whole, part = extents(cell.contents)
        want[i] = math.max(want[i], whole / lines, part)
        need[i] = math.max(need[i], part)
      end
    end
  end
  ask(el.head.rows, 2)
  for _, body in ipairs(el.bodies) do ask(body.body, 1) end
  local spare = math.max(LINE - sum(need), 0)
  local share = math.min(spare / math.max(sum(want) - sum(need), 1), 1)
  local widths = {}
  for i = 1, #want do widths[i] = need[i] + share * (want[i] - need[i]) end
  for i = 1, #want do
    el.colspecs[i] = { el.colspecs[i][1], widths[i] / math.max(sum(widths), LINE) }
  end
  return el
end

-- At the start of a cell typst takes "1." or "+" for the mark of a list.
local function unlisted(el)
  if el.text:match('^%d+%.$') or el.text:match('^[%+%-=/]$') then
    return pandoc.RawInline('typst', (el.text:gsub('[%.%+%-=/]', '\\%0')))
  end
end

-- A short table and the note below it stay on one page; a long one would leave half a page empty.
local SHORT = 12

local function noted(blocks)
  local first, last = blocks[1], blocks[#blocks]
  local long = not (first and first.t == 'Table') or #first.bodies[1].body > SHORT
  if long or last.t ~= 'RawBlock' then return blocks end
  blocks:insert(1, pandoc.RawBlock('typst', '#with-note['))
  blocks:insert(pandoc.RawBlock('typst', ']'))
  return blocks
end

-- The number of a table or figure is a field, so that Word counts on when a table is moved, and
-- can list and cite them: "Table 1." becomes the word, the field SEQ, and what follows.
local function escaped(text)
  return (text:gsub('&', '&amp;'):gsub('<', '&lt;'):gsub('>', '&gt;'):gsub('"', '&quot;'))
end

local function run(text)
  return '<w:r><w:rPr><w:b/></w:rPr><w:t xml:space="preserve">' .. escaped(text) .. '</w:t></w:r>'
end

local function counted(el)
  local word, number, rest = pandoc.utils.stringify(el):match('^(.-)%s*(%d+)(.*)$')
  if not (el.classes:includes('label') and number) then return el end
  local field = '<w:fldSimple w:instr=" SEQ ' .. escaped(word) .. ' \\* ARABIC ">'
  return pandoc.RawInline(
    'openxml', run(word .. ' ') .. field .. run(number) .. '</w:fldSimple>' .. run(rest)
  )
end

-- The list of references stands between two marks.
local OPEN, CLOSE = '<div class="references">', '</div>'

local function is_mark(el, text)
  return el and el.t == 'RawBlock' and el.format == 'page' and el.text:gsub('%s+$', '') == text
end

function RawBlock(el)
  if el.format == 'typst' then return el end
  if el.format ~= 'page' then return pandoc.Para { pandoc.Str(el.text) } end
  if FORMAT:match('html') then return pandoc.RawBlock('html', el.text) end
  if is_mark(el, OPEN) or is_mark(el, CLOSE) then
    if FORMAT:match('docx') then return el end
    return pandoc.RawBlock('typst', is_mark(el, OPEN) and '#references[' or ']')
  end
  local blocks = pandoc.read(el.text, 'html').blocks:walk { Div = boxed }
  if FORMAT:match('docx') then return blocks:walk { Table = widened, Span = counted } end
  return noted(blocks:walk { Table = widened }:walk { Str = unlisted })
end

-- Word sets the paragraphs of a dense list in the size of table cells.
local function spaced(el)
  if not FORMAT:match('docx') then return nil end
  return el:walk { Plain = function(item) return pandoc.Para(item.content) end }
end

BulletList, OrderedList = spaced, spaced

function Pandoc(doc)
  if not FORMAT:match('docx') then return nil end
  local blocks, open = pandoc.Blocks {}, nil
  for _, block in ipairs(doc.blocks) do
    if is_mark(block, OPEN) then
      open = pandoc.Div({}, pandoc.Attr('', {}, { ['custom-style'] = 'Reference' }))
    elseif open and is_mark(block, CLOSE) then
      blocks:insert(open)
      open = nil
    else
      (open and open.content or blocks):insert(block)
    end
  end
  return pandoc.Pandoc(blocks, doc.meta)
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
