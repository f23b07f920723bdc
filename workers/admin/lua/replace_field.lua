--[[ Put another value into a field of a hash, if it still holds the one that was looked at.

  KEYS[1]   a hash
  ARGV[1]   field
  ARGV[2]   the value that was looked at
  ARGV[3]   the new value
  Returns   { outcome }
    REPLACED   it is done
    CHANGED    somebody changed or removed it meanwhile ]]
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return { 'CHANGED' }
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return { 'REPLACED' }
