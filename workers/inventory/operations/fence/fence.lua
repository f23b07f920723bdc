--[[ Keep an earlier claim of an order, which never ended, from changing anything in one warehouse; tell what it left.

  KEYS[1]   reservation:{<warehouse>}:<order uid>   hash: revision, fence, state, deadline, lines, shipped, stop, wms:<message>
  KEYS[2]   deadlines:{<warehouse>}                 sorted set: order uid by deadline
  KEYS[3]   outbox:{<warehouse>}                    stream of inventory events
  KEYS[4]   sequence:{<warehouse>}                  number of the last event
  ARGV[1]   fence: the number of the claim that takes over
  ARGV[2]   how long to remember it where the order has nothing, ms
  Returns   { outcome, ... }
    FENCED    state, lines: what the order has here; both empty when it never had anything
    STALE     a newer claim was here ]]
-- @include workers.inventory.operations.shared:stock.lua
local order = string.sub(KEYS[1], #KEYS[2] - #'deadlines:' + #'reservation:' + 2)
local found = read_reservation(KEYS[1])
if tonumber(ARGV[1]) < found.fence then
  return { 'STALE' }
end
check_ledger(KEYS[2], KEYS[3], KEYS[4], order)
found.fence = tonumber(ARGV[1])
save(found, order, 'noted', {}, ARGV[2])
return { 'FENCED', found.state, found.live and found.lines or '' }
