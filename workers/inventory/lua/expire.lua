--[[ Give back a hold whose payment deadline has passed, if it is still the hold that was seen.

  KEYS[1]   reservation:{<warehouse>}:<order uid>   hash: revision, fence, state, deadline, lines, shipped, stop, wms:<message>
  KEYS[2]   deadlines:{<warehouse>}                 sorted set: order uid by deadline
  KEYS[3]   outbox:{<warehouse>}                    stream of inventory events
  KEYS[4]   sequence:{<warehouse>}                  number of the last event
  KEYS[5..] stock:{<warehouse>}:<sku>               hash: on_hand, held, committed, allocated, transfer, safety, counted_at
  ARGV[1]   revision seen
  ARGV[2]   fence seen
  ARGV[3]   now, ms since 1970
  ARGV[4]   how long the tombstone is kept, ms
  Returns   { outcome }
    EXPIRED    it is done
    CHANGED    the order has moved on since it was seen: look again
    GONE       no hold is left; its deadline is taken off the list
    NOT_DUE    the deadline lies ahead; the list says so again ]]
-- @include stock.lua
local order = string.sub(KEYS[1], #KEYS[2] - #'deadlines:' + #'reservation:' + 2)
local found = read_reservation(KEYS[1])
read('ZSCORE', KEYS[2], order)
if found.state ~= 'held' or found.deadline == '0' then
  redis.call('ZREM', KEYS[2], order)
  return { 'GONE' }
end
if found.revision ~= ARGV[1] or found.fence ~= tonumber(ARGV[2]) then
  return { 'CHANGED' }
end
if whole(found.deadline, KEYS[1], 'deadline') > tonumber(ARGV[3]) then
  redis.call('ZADD', KEYS[2], found.deadline, order)
  return { 'NOT_DUE' }
end
local skus = skus_in_keys(found)
if not skus then
  return { 'CHANGED' }
end
local moves = plan_moves(found, skus, nothing_of(skus), '')
check_ledger(KEYS[2], KEYS[3], KEYS[4], order)

write_moves(moves)
found.state, found.deadline = 'expired', '0'
save(found, order, 'expired', moves, ARGV[4])
return { 'EXPIRED' }
