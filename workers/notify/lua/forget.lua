--[[ Forget a matter and what was told of it, unless a notice came meanwhile; it is put on the list of those that are past.

  KEYS[1]   matters:{notices}   hash: matter by its key
  KEYS[2]   told:{notices}      hash: what was told, by recipient and key of the matter
  KEYS[3]   care:{notices}      hash: who looks after it, by key of the matter
  KEYS[4]   past:{notices}      list: matters that are over, the newest first
  ARGV[1]   key of the matter
  ARGV[2]   the matter as it was read
  ARGV[3]   how many the list may have
  ARGV[4..] fields of KEYS[2]
  Returns   1: forgotten; 0: it has changed ]]
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
for i = 4, #ARGV do
  redis.call('HDEL', KEYS[2], ARGV[i])
end
redis.call('LPUSH', KEYS[4], ARGV[2])
redis.call('LTRIM', KEYS[4], 0, tonumber(ARGV[3]) - 1)
return 1
