--[[ A WMS gave an instruction back: note it on the order, so that whoever works on the order knows, and only once.

  KEYS[1]   order:{<order uid>}   hash: revision, fence, phase, intent, state, holdings, routed, source, said:<revision>,
                                  returned, heard:<warehouse>:<revision>, overtaken:<warehouse>
  ARGV[1]   warehouse
  ARGV[2]   revision of the instruction that it gave back
  ARGV[3]   all | change; all: it does not ship the order, and may be told of it again; change: it goes on as told before
  Returns   { outcome, ... }
    HEARD   open, source, holdings: open is "1" while the order has not moved on since the first time, and somebody must
            place it anew; not for a change that was given back with the order; source is where in orders.planned its
            newest revision stands
    STALE   the warehouse was told something newer since, or to stop, or never of this ]]

-- What this warehouse was told to ship by that revision; nil where it is not known.
local function told_by(revision)
  local said = revision and redis.call('HGET', KEYS[1], 'said:' .. revision)
  for _, told in ipairs(said and said ~= '' and cjson.decode(said).told or {}) do
    if told.warehouse_id == ARGV[1] and told.kind ~= 'cancel' then
      return told
    end
  end
end

local field = 'heard:' .. ARGV[1] .. ':' .. ARGV[2]
local found = redis.call('HMGET', KEYS[1], 'revision', 'phase', 'fence', 'routed', 'source', 'holdings', field, 'returned')
local revision, phase, heard = found[1] or '', found[2] or '', found[7]
if not heard then
  local routed = cjson.decode(found[4] and found[4] ~= '' and found[4] or '{}')
  local told = routed[ARGV[1]]
  local standing = told and told.revisions or {}
  local at
  for i = 1, #standing do
    at = standing[i] == ARGV[2] and i or at
  end
  if not at or (ARGV[3] == 'all' and at < #standing) then
    if not told and ARGV[3] == 'change' and found[1] then
      redis.call('HSET', KEYS[1], field, 'refused') -- what stood before it still does, though a cancellation came since
    end
    return { 'STALE' }
  end
  if ARGV[3] == 'all' then
    routed[ARGV[1]] = nil
  else
    table.remove(standing, at)
    local before = told_by(standing[#standing]) -- it goes on as it was told then
    told.units = before and before.units
    told.line_ids = before and before.line_ids or told.line_ids
  end
  heard = phase .. ' ' .. revision .. (ARGV[3] == 'change' and ' change' or '')
  redis.call('HSET', KEYS[1], 'routed', cjson.encode(routed), field, heard)
  if phase == 'claimed' then
    -- Whoever works on the order has read what it was told before: its claim is lost, and it starts over, knowing.
    redis.call('HSET', KEYS[1], 'fence', string.format('%.0f', tonumber(found[3]) + 1000))
    if ARGV[3] == 'all' then
      redis.call('HSET', KEYS[1], 'returned', (found[8] and found[8] .. ',' or '') .. ARGV[1])
    end
  end
end
local unmoved = 'settled ' .. revision
local open = phase == 'settled' and (heard == unmoved .. ' change' or (heard == unmoved and ARGV[3] == 'all'))
return { 'HEARD', open and '1' or '', found[5] or '', found[6] or '' }
