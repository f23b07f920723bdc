--[[ Note on an order that its hold was given back, if nothing newer has happened to it.

  KEYS[1]   order:{<order uid>}   hash: revision, fence, phase, intent, state, holdings, routed, result
  ARGV[1]   revision whose hold expired
  ARGV[2]   how long to remember the order, ms
  Returns   { outcome }
    LAPSED        it is done
    MOVED_ON      the order was claimed or settled with another revision ]]
local found = redis.call('HMGET', KEYS[1], 'revision', 'phase', 'state')
if found[1] ~= ARGV[1] or found[2] ~= 'settled' or (found[3] ~= 'held' and found[3] ~= 'expired') then
  return { 'MOVED_ON' }
end
redis.call('HSET', KEYS[1], 'state', 'expired')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return { 'LAPSED' }
