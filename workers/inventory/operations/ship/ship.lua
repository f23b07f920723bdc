--[[ Units of an order have left the warehouse: they are off its reservation and off on-hand, once per message.

  KEYS[1]   reservation:{<warehouse>}:<order uid>   hash: revision, fence, state, deadline, lines, shipped, stop, wms:<message>
  KEYS[2]   deadlines:{<warehouse>}                 sorted set: order uid by deadline
  KEYS[3]   outbox:{<warehouse>}                    stream of inventory events
  KEYS[4]   sequence:{<warehouse>}                  number of the last event
  KEYS[5..] stock:{<warehouse>}:<sku>               hash: on_hand, held, committed, allocated, transfer, safety, counted_at
  KEYS[..]  moved:{<warehouse>}:<sku>               sorted set: what moved on-hand units, by time; as many, in their order
  ARGV[1]   message: the WMS's own id of what it tells
  ARGV[2]   when they left, ms since 1970; on-hand stays when a count was taken later
  ARGV[3]   how long a tombstone is kept, ms
  ARGV[4]   how long movements are kept for counts that come late, ms
  ARGV[5..] per stock key two values: units that left, -1 for all; and how many the WMS was told to ship, -1 where that is
            not known: of units that are named the most it was ever told, else what the instruction asked for. All are
            as many as the reservation has, and with what left before no more than that: what a later change added is not
            meant
  Returns   { outcome, ... }
    SHIPPED          all that was reserved has left
    PARTLY           some is still reserved
    REPEAT           this message was here before
    AFTER_RELEASE    it had been given back: on-hand is less all the same, and more may be promised now than is there
    MORE_THAN_TOLD   with what left before, these are more than the WMS was told to ship; nothing was changed
    NOTHING_KNOWN    no units were named, and the order never had any here
    UNKNOWN_LINES    SKUs of the reservation; KEYS lack some of them, nothing was changed ]]
-- @include workers.inventory.operations.shared:stock.lua
-- @include workers.inventory.operations.shared:physical.lua
local order = string.sub(KEYS[1], #KEYS[2] - #'deadlines:' + #'reservation:' + 2)
local at, count = tonumber(ARGV[2]), (#KEYS - 4) / 2
if read('HEXISTS', KEYS[1], 'wms:' .. ARGV[1]) == 1 then
  return { 'REPEAT' }
end
local found = read_reservation(KEYS[1])
local was_live, was_state = found.live, found.state
if not was_live then
  found.units, found.skus = read_lines(found.lines, KEYS[1], 'lines') -- a tombstone says what it held
end
local skus = skus_in_keys(found, 4 + count)
if not skus then
  return unknown_lines(found)
end

local moves, physical, rest, gone, total, too_many = {}, {}, {}, {}, 0, false
for i = 1, #skus do
  local key, had = KEYS[i + 4], found.units[skus[i]] or 0
  local before = found.shipped and found.shipped[skus[i]] or 0
  local left = whole(ARGV[2 * i + 3], key, 'the quantity shipped')
  local told = whole(ARGV[2 * i + 4], key, 'the quantity told')
  if left < 0 then
    left = all_of(had, told, before)
  end
  local counters, move = read_counters(key), { key, skus[i] }
  local off = was_live and math.min(left, had) or 0
  if off > 0 then
    local counter = COUNTER_OF[was_state]
    if counters[counter] < off then
      corrupt(key, COUNTERS[counter] .. ' is less than one of its reservations')
    end
    move[3], move[4] = COUNTERS[counter], -off
  end
  physical[i] = -unless_counted(counters, at, left)
  if physical[i] ~= 0 then
    move[#move + 1] = 'on_hand'
    move[#move + 1] = physical[i]
  end
  if #move > 2 then
    moves[#moves + 1] = move
  end
  rest[i], gone[i], total = had - off, before + left, total + left
  too_many = too_many or (left > 0 and told >= 0 and gone[i] > told)
end
if too_many or (total == 0 and found.shipped) then
  return { 'MORE_THAN_TOLD' }
end
if total == 0 then
  return { 'NOTHING_KNOWN' }
end
if found.shipped then
  for sku, units in pairs(found.shipped) do
    local named = false
    for i = 1, #skus do
      named = named or skus[i] == sku
    end
    if not named then
      skus[#skus + 1], gone[#skus + 1] = sku, units
    end
  end
end
check_ledger(KEYS[2], KEYS[3], KEYS[4], order)
check_moved(5 + count)

write_moves(moves)
for i = 1, count do
  write_moved(KEYS[4 + count + i], at, physical[i], order .. '/' .. ARGV[1], tonumber(ARGV[4]))
end
local some_left = false
if was_live then
  for i = #rest + 1, #skus do
    rest[i] = 0
  end
  found.lines, some_left = pack_lines(skus, rest)
  if not some_left then
    found.state, found.deadline, found.stop = 'shipped', '0', ''
  end
else
  found.state, found.lines = 'shipped', '[]'
end
found.shipped_lines = pack_lines(skus, gone)
save(found, order, 'shipped', moves, ARGV[3], ARGV[1], at)
if not was_live then
  return { 'AFTER_RELEASE' }
end
return { some_left and 'PARTLY' or 'SHIPPED' }
