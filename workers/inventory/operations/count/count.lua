--[[ Set on-hand units and safety stock of SKUs in one warehouse from a count that was taken at some time.

  KEYS[1]   outbox:{<warehouse>}        stream of inventory events
  KEYS[2]   sequence:{<warehouse>}      number of the last event
  KEYS[3..] stock:{<warehouse>}:<sku>   hash: on_hand, held, committed, allocated, transfer, safety, counted_at
  KEYS[..]  moved:{<warehouse>}:<sku>   sorted set: what moved on-hand units, by time; as many, in their order
  ARGV[1]   when it was counted, ms since 1970; "" = now. What moved after that is applied to the count
  ARGV[2..] per stock key two values: on-hand units, safety stock; "" leaves one as it is
  Returns   { outcome, ... }
    COUNTED      available to promise, one per stock key; below zero when more is promised than is there
    UNCHANGED    the same; nothing had to be changed, or a later count was here before ]]
-- @include workers.inventory.operations.shared:stock.lua
local from, count = #KEYS[1] - #'outbox:' + #'stock:' + 2, (#KEYS - 2) / 2
local time = redis.call('TIME')
local at = ARGV[1] ~= '' and tonumber(ARGV[1]) or time[1] * 1000 + math.floor(time[2] / 1000)
local moves, available, counted = {}, {}, {}
for i = 1, count do
  local key = KEYS[i + 2]
  local counters, move = read_counters(key), { key, string.sub(key, from) }
  local function set(counter, to)
    if to ~= counters[counter] then
      move[#move + 1] = COUNTERS[counter]
      move[#move + 1] = to - counters[counter]
      counters[counter] = to
    end
  end
  if ARGV[2 * i] ~= '' and at >= counters[7] then
    local on_hand = whole(ARGV[2 * i], key, 'the count')
    local later = read('ZRANGEBYSCORE', KEYS[2 + count + i], '(' .. string.format('%.0f', at), '+inf')
    for j = 1, #later do
      on_hand = on_hand + tonumber(string.match(later[j], '^-?%d+'))
    end
    set(1, on_hand)
    counted[#counted + 1] = key
  end
  if ARGV[2 * i + 1] ~= '' then
    set(6, whole(ARGV[2 * i + 1], key, 'the safety stock'))
  end
  available[i] = available_to_promise(counters)
  if #move > 2 then
    moves[#moves + 1] = move
  end
end
check_ledger(nil, KEYS[1], KEYS[2])

write_moves(moves)
at = string.format('%.0f', at)
for i = 1, #counted do
  redis.call('HSET', counted[i], 'counted_at', at)
end
if #moves == 0 and #counted == 0 then
  return { 'UNCHANGED', unpack(available) }
end
local skus = {}
for i = 1, #counted do
  skus[i] = string.sub(counted[i], from)
end
publish(KEYS[1], KEYS[2], 'counted', moves, 'counted_at', at, 'counted', #skus > 0 and cjson.encode(skus) or '[]')
return { #moves > 0 and 'COUNTED' or 'UNCHANGED', unpack(available) }
