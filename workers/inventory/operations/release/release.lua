--[[ Give back what one order has in one warehouse, whatever its state. Its tombstone keeps late revisions out.

  KEYS[1]   reservation:{<warehouse>}:<order uid>   hash: revision, fence, state, deadline, lines, shipped, stop, wms:<message>
  KEYS[2]   deadlines:{<warehouse>}                 sorted set: order uid by deadline
  KEYS[3]   outbox:{<warehouse>}                    stream of inventory events
  KEYS[4]   sequence:{<warehouse>}                  number of the last event
  KEYS[5..] stock:{<warehouse>}:<sku>               hash: on_hand, held, committed, allocated, transfer, safety, counted_at
  ARGV[1]   revision
  ARGV[2]   fence: the claim's number; a lower one than the reservation has seen changes nothing
  ARGV[3]   any | held | ask; held leaves stock alone that is committed; ask gives back a hold only: of anything more the
            WMS has been told, so the units stay until it answers that they are not on their way. With any, too, units
            stay for which such an answer is still to come
  ARGV[4]   how long the tombstone is kept, ms
  Returns   { outcome, ... }
    RELEASED        it is done
    NOTHING_HELD    the order has nothing here; a tombstone is left all the same
    KEPT            with held: it is committed, nothing was changed
    WAITING         the units wait for the WMS's answer
    STALE           a newer revision or claim was here
    UNKNOWN_LINES   SKUs of the reservation; KEYS lack some of them, nothing was changed ]]
-- @include workers.inventory.operations.shared:stock.lua
local order = string.sub(KEYS[1], #KEYS[2] - #'deadlines:' + #'reservation:' + 2)
local found = read_reservation(KEYS[1])
if is_stale(found, ARGV[1], tonumber(ARGV[2])) then
  return { 'STALE' }
end
if ARGV[3] == 'held' and found.live and found.state ~= 'held' then
  return { 'KEPT' }
end
local skus = skus_in_keys(found)
if not skus then
  return unknown_lines(found)
end
found.revision, found.fence = ARGV[1], tonumber(ARGV[2])
if found.live and found.state ~= 'held' and (ARGV[3] == 'ask' or found.stop ~= '') then
  check_ledger(KEYS[2], KEYS[3], KEYS[4], order)
  found.stop, found.deadline = 'release', '0'
  save(found, order, 'noted', {}, ARGV[4])
  return { 'WAITING' }
end
local moves, live = plan_moves(found, skus, nothing_of(skus), ''), found.live
check_ledger(KEYS[2], KEYS[3], KEYS[4], order)

write_moves(moves)
if found.state ~= 'shipped' and found.state ~= 'expired' then
  found.state = found.shipped and 'shipped' or 'released'
end
found.deadline, found.stop = '0', ''
save(found, order, live and 'released' or 'noted', moves, ARGV[4])
return { live and 'RELEASED' or 'NOTHING_HELD' }
