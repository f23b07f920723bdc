--[[ Keep an earlier claim of an order, which never ended, from changing anything in one warehouse; tell what it left.

  KEYS[1]   reservation:{<warehouse>}:<order uid>   hash: revision, fence, state, deadline, lines
  ARGV[1]   fence: the number of the claim that takes over
  ARGV[2]   how long to remember it where the order has nothing, ms
  Returns   { outcome, ... }
    FENCED    state, lines: what the order has here; both empty when it never had anything
    STALE     a newer claim was here ]]
local found = redis.call('HMGET', KEYS[1], 'fence', 'state', 'lines')
if tonumber(ARGV[1]) < tonumber(found[1] or 0) then
  return { 'STALE' }
end
redis.call('HSET', KEYS[1], 'fence', ARGV[1])
if not found[2] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return { 'FENCED', found[2] or '', found[3] or '' }
