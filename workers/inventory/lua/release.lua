--[[ Give back what one order has in one warehouse, whatever its state. Its tombstone keeps late revisions out.

  KEYS[1]   reservation:{<warehouse>}:<order uid>   hash: revision, fence, state, deadline, lines
  KEYS[2]   deadlines:{<warehouse>}                 sorted set: order uid by deadline
  KEYS[3]   outbox:{<warehouse>}                    stream of inventory events
  KEYS[4]   sequence:{<warehouse>}                  number of the last event
  KEYS[5..] stock:{<warehouse>}:<sku>               hash: on_hand, held, committed, allocated, transfer, safety
  ARGV[1]   revision
  ARGV[2]   fence: the claim's number; a lower one than the reservation has seen changes nothing
  ARGV[3]   any | held; held leaves stock alone that is committed
  ARGV[4]   how long the tombstone is kept, ms
  Returns   { outcome, ... }
    RELEASED        it is done
    NOTHING_HELD    the order has nothing here; a tombstone is left all the same
    KEPT            with held: it is committed, nothing was changed
    STALE           a newer revision or claim was here
    UNKNOWN_LINES   SKUs of the reservation; KEYS lack some of them, nothing was changed ]]
-- @include stock.lua
local order = string.sub(KEYS[1], #KEYS[2] - #'deadlines:' + #'reservation:' + 2)
local found = read_reservation(KEYS[1])
if is_stale(found, ARGV[1], tonumber(ARGV[2])) then
  return { 'STALE' }
end
if not found.live then
  redis.call('HSET', KEYS[1], 'revision', ARGV[1], 'fence', ARGV[2], 'state', found.state ~= '' and found.state or 'released')
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
  return { 'NOTHING_HELD' }
end
if ARGV[3] == 'held' and found.state ~= 'held' then
  return { 'KEPT' }
end
local skus = skus_in_keys(found)
if not skus then
  return unknown_lines(found)
end
local nothing = {}
for i = 1, #skus do
  nothing[i] = 0
end
local moves = plan_moves(found, skus, nothing, '')
check_ledger(KEYS[2], KEYS[3], KEYS[4], order)

write_moves(moves)
redis.call('HSET', KEYS[1], 'revision', ARGV[1], 'fence', ARGV[2], 'state', 'released', 'deadline', '0')
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('ZREM', KEYS[2], order)
publish(KEYS[3], KEYS[4], 'released', moves, 'order', order, 'revision', ARGV[1], 'state', 'released', 'deadline', '0')
return { 'RELEASED' }
