--[[ Say that one revision of an order is being worked on, and where: the intent, written before any stock is touched.

  KEYS[1]   order:{<order uid>}   hash: revision, seen, fence, phase, intent, state, holdings, routed, source,
                                  said:<revision>, returned, decided, issued
  ARGV[1]   revision
  ARGV[2]   warehouses that may be asked, comma separated, best first
  ARGV[3]   how many decisions of people its plan takes into account
  Returns   { outcome, ... }
    CLAIMED   fence, state, holdings, routed, open intent, returned, told: the number of this claim; what the last settled
              revision left; the warehouses that a claim before this one may have touched without ever settling; those
              that have given the order back meanwhile: whatever such a claim did there, nobody was told to stop; and
              those that were ever told to ship it, by any revision: goods may have left them
    REPEAT    result: this revision was settled before, and this is what it said; "" when it said nothing. An older
              revision says its own again, too: whoever settled it may have died before Kafka had it. And "" when the
              same state of the order came once more, received later: it is what counts since then, see `seen`
    STALE     a newer revision was here, and this one never said anything; or it is a try of ours that knew nothing of
              what people decided since, and the one that they asked for is on its way
    OVERRULED people decided more than its plan knows of: it must be decided anew ]]
-- @include workers.inventory.operations.shared:revision.lua
-- @include workers.inventory.operations.shared:reading.lua
local found = read('HMGET', KEYS[1], 'revision', 'fence', 'phase', 'intent', 'state', 'holdings', 'routed',
  'said:' .. ARGV[1], 'returned', 'seen', 'decided', 'issued')
local revision, phase, seen = found[1] or '', found[3], found[10]
if found[2] and not tonumber(found[2]) then
  corrupt(KEYS[1], 'fence is not a number')
end
if found[8] then
  return { 'REPEAT', found[8] }
end
local others = revision ~= '' and revision ~= ARGV[1]  -- most orders are new: nothing to compare with
if others and is_older(ARGV[1], revision) then
  return { 'STALE' }
end
if revision == ARGV[1] and phase == 'settled' then
  return { 'REPEAT', '' }
end
-- Of two states with one stamp the one received later counts, so it is kept how late the one in force was received.
-- Its own next tries are ours, and count however late the platform repeated it.
local same = others and is_same_state(ARGV[1], revision)
if others and not (same and string.find(ARGV[1], '+', 1, true)) then
  if seen and is_older(ARGV[1], seen) then
    return { 'STALE' }
  end
  if same and phase == 'settled' then
    redis.call('HSET', KEYS[1], 'seen', ARGV[1])
    return { 'REPEAT', '' }
  end
end

if found[11] and tonumber(found[11]) > tonumber(ARGV[3]) then
  local ours = string.find(ARGV[1], '+', 1, true) and found[12] and is_older(ARGV[1], found[12])
  return { ours and 'STALE' or 'OVERRULED' }
end

local function ever_told()
  local names, known = {}, {}
  local fields = read('HGETALL', KEYS[1])
  for i = 1, #fields, 2 do
    if string.sub(fields[i], 1, 5) == 'said:' then
      local is_json, said = pcall(cjson.decode, fields[i + 1])
      if not is_json then
        corrupt(KEYS[1], fields[i] .. ' is not JSON')
      end
      for _, told in ipairs(said.told or {}) do
        if told.kind ~= 'cancel' and not known[told.warehouse_id] then
          known[told.warehouse_id] = true
          names[#names + 1] = told.warehouse_id
        end
      end
    end
  end
  return table.concat(names, ',')
end

-- Microseconds, so that the number grows even if this key is lost; a claim may use the next 999 for its steps.
local now = redis.call('TIME')
local fence = math.max(now[1] * 1000000 + now[2], tonumber(found[2] or 0) + 1000)
fence = string.format('%.0f', fence)

local open = phase == 'claimed' and found[4] or ''
local intent, known = {}, {}
for warehouse in string.gmatch(open .. ',' .. ARGV[2], '[^,]+') do
  if not known[warehouse] then
    known[warehouse] = true
    intent[#intent + 1] = warehouse
  end
end
redis.call('HSET', KEYS[1], 'revision', ARGV[1], 'fence', fence, 'phase', 'claimed', 'intent', table.concat(intent, ','))
redis.call('PERSIST', KEYS[1])
if seen and others and not same then
  redis.call('HDEL', KEYS[1], 'seen')
end
local interrupted = phase == 'claimed' and 'interrupted' or ''
local told = phase and ever_told() or ''
return { 'CLAIMED', fence, found[5] or '', found[6] or '', found[7] or '', interrupted, open, found[9] or '', told }
