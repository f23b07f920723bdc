--[[ The WMS took the order over: what is committed is allocated.

  KEYS[1]   reservation:{<warehouse>}:<order uid>   hash: revision, fence, state, deadline, lines, shipped, stop, wms:<message>
  KEYS[2]   deadlines:{<warehouse>}                 sorted set: order uid by deadline
  KEYS[3]   outbox:{<warehouse>}                    stream of inventory events
  KEYS[4]   sequence:{<warehouse>}                  number of the last event
  KEYS[5..] stock:{<warehouse>}:<sku>               hash: on_hand, held, committed, allocated, transfer, safety, counted_at
  Returns   { outcome, ... }
    ALLOCATED       it is done
    ALREADY         it was allocated before
    NOTHING_HELD    state: the order has nothing committed here, as after a shipment that was told of first
    UNKNOWN_LINES   SKUs of the reservation; KEYS lack some of them, nothing was changed ]]
-- @include workers.inventory.operations.shared:stock.lua
local order = string.sub(KEYS[1], #KEYS[2] - #'deadlines:' + #'reservation:' + 2)
local found = read_reservation(KEYS[1])
if found.state == 'allocated' then
  return { 'ALREADY' }
end
if found.state ~= 'committed' then
  return { 'NOTHING_HELD', found.state }
end
local skus = skus_in_keys(found)
if not skus then
  return unknown_lines(found)
end
local same = {}
for i = 1, #skus do
  same[i] = found.units[skus[i]] or 0
end
local moves = plan_moves(found, skus, same, 'allocated')
check_ledger(KEYS[2], KEYS[3], KEYS[4], order)

write_moves(moves)
found.state = 'allocated'
save(found, order, 'allocated', moves, 0)
return { 'ALLOCATED' }
