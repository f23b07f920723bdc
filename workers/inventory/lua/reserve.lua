--[[ Give one order its units in one warehouse, all or none: a new reservation, or the replacement of an older one.

  KEYS[1]   reservation:{<warehouse>}:<order uid>   hash: revision, fence, state, deadline, lines
  KEYS[2]   deadlines:{<warehouse>}                 sorted set: order uid by deadline
  KEYS[3]   outbox:{<warehouse>}                    stream of inventory events
  KEYS[4]   sequence:{<warehouse>}                  number of the last event
  KEYS[5..] stock:{<warehouse>}:<sku>               hash: on_hand, held, committed, allocated, transfer, safety
  ARGV[1]   revision
  ARGV[2]   fence: the claim's number; a lower one than the reservation has seen changes nothing
  ARGV[3]   state to enter: held | committed
  ARGV[4]   deadline of a hold, ms since 1970; 0 = none
  ARGV[5]   take | keep; keep takes nothing new: units and a hold's deadline stay, and no state goes back
  ARGV[6..] units wanted, one per KEYS[5..]; 0 for a SKU that is given up
  Returns   { outcome, ... }
    RESERVED        it is done
    ALREADY         state: this is what the order already has
    STALE           a newer revision or claim was here
    INSUFFICIENT    units this order could have, one per KEYS[5..]; nothing was changed
    NOTHING_HELD    with keep: the order has nothing here
    UNKNOWN_LINES   SKUs of the reservation; KEYS lack some of them, nothing was changed ]]
-- @include stock.lua
local order = string.sub(KEYS[1], #KEYS[2] - #'deadlines:' + #'reservation:' + 2)
local revision, fence, state, deadline, keep = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5] == 'keep'

local found = read_reservation(KEYS[1])
if is_stale(found, revision, fence) then
  return { 'STALE' }
end
if keep and not found.live then
  return { 'NOTHING_HELD' }
end
local skus = skus_in_keys(found)
if not skus then
  return unknown_lines(found)
end
if found.state == 'allocated' or (keep and state == 'held') then
  state = found.state -- what the WMS has, it keeps; and a hold that is only kept stays a hold
end
if state ~= 'held' then
  deadline = '0'
elseif keep then
  deadline = found.deadline
end

local wanted, lines = {}, {}
local same = found.live and found.revision == revision and found.state == state and found.deadline == deadline
for i = 1, #skus do
  local had = found.units[skus[i]] or 0
  local want = keep and had or whole(ARGV[i + 5], KEYS[i + 4], 'the quantity wanted')
  if want < 0 then
    corrupt(KEYS[i + 4], 'the quantity wanted is negative')
  end
  wanted[i] = want
  same = same and want == had
  if want > 0 then
    lines[#lines + 1] = skus[i]
    lines[#lines + 1] = want
  end
end
if same then
  return { 'ALREADY', state }
end
if #lines == 0 then
  corrupt(KEYS[1], 'no units wanted; use release.lua')
end

local moves, available, enough = plan_moves(found, skus, wanted, state)
if not enough then
  return { 'INSUFFICIENT', unpack(available) }
end
check_ledger(KEYS[2], KEYS[3], KEYS[4], order)

write_moves(moves)
redis.call('HSET', KEYS[1], 'revision', revision, 'fence', ARGV[2], 'state', state, 'deadline', deadline,
  'lines', cjson.encode(lines))
redis.call('PERSIST', KEYS[1])
if state == 'held' and deadline ~= '0' then
  redis.call('ZADD', KEYS[2], deadline, order)
else
  redis.call('ZREM', KEYS[2], order)
end
local kind = 'changed'
if found.state ~= state then
  kind = state == 'held' and 'held' or 'committed'
end
publish(KEYS[3], KEYS[4], kind, moves, 'order', order, 'revision', revision, 'state', state, 'deadline', deadline)
return { 'RESERVED' }
