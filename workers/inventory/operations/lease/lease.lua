--[[ Take, or keep, the right to relay one warehouse's outbox.

  KEYS[1]   relay:{<warehouse>}   string: who relays, expires by itself
  ARGV[1]   who asks
  ARGV[2]   for how long, ms
  Returns   { outcome }
    MINE     the caller relays
    TAKEN    somebody else does ]]
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return { 'TAKEN' }
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return { 'MINE' }
