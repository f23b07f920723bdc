--[[ The WMS says that it does not ship an order, or no more of it.

  KEYS[1]   reservation:{<warehouse>}:<order uid>   hash: revision, fence, state, deadline, lines, shipped, stop, wms:<message>
  KEYS[2]   deadlines:{<warehouse>}                 sorted set: order uid by deadline
  KEYS[3]   outbox:{<warehouse>}                    stream of inventory events
  KEYS[4]   sequence:{<warehouse>}                  number of the last event
  KEYS[5..] stock:{<warehouse>}:<sku>               hash: on_hand, held, committed, allocated, transfer, safety, counted_at
  ARGV[1]   revision up to which the answer holds: the order's, when it is about what the WMS was told last
  ARGV[2]   how long the tombstone is kept, ms
  Returns   { outcome, ... }
    RELEASED        the order had been given up, and only this answer was waited for: its units are given back
    KEPT            the WMS had been told to stop: the units are committed again and wait for the order; or, if it is not
                    paid any more, they are held until its deadline
    GIVEN_UP        nobody had told it to stop; nothing was changed, the order must be placed anew
    STALE           a newer revision was told to the WMS since, and it will answer that one
    NOTHING_HELD    the order has nothing here
    UNKNOWN_LINES   SKUs of the reservation; KEYS lack some of them, nothing was changed ]]
-- @include workers.inventory.operations.shared:stock.lua
local order = string.sub(KEYS[1], #KEYS[2] - #'deadlines:' + #'reservation:' + 2)
local found = read_reservation(KEYS[1])
if not found.live then
  return { 'NOTHING_HELD' }
end
if is_older(ARGV[1], found.revision) then
  return { 'STALE' }
end
if found.stop == '' then
  return { 'GIVEN_UP' }
end
local skus = skus_in_keys(found)
if not skus then
  return unknown_lines(found)
end
local keep, wanted = found.stop ~= 'release', nothing_of(skus)
local state = found.stop == 'hold' and 'held' or 'committed'
if keep then
  for i = 1, #skus do
    wanted[i] = found.units[skus[i]] or 0
  end
end
local moves = plan_moves(found, skus, wanted, keep and state or '')
check_ledger(KEYS[2], KEYS[3], KEYS[4], order)

write_moves(moves)
found.deadline = found.stop == 'hold' and found.deadline or '0'
found.stop = ''
found.state = keep and state or (found.shipped and 'shipped' or 'released')
save(found, order, keep and state or 'released', moves, ARGV[2])
return { keep and 'KEPT' or 'RELEASED' }
