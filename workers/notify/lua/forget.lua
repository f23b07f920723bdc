--[[ Forget a matter and what was told of it, unless a notice came meanwhile.

  KEYS[1]   matters:{notices}   hash: matter by its key
  KEYS[2]   told:{notices}      hash: what was told, by recipient and key of the matter
  ARGV[1]   key of the matter
  ARGV[2]   the matter as it was read
  ARGV[3..] fields of KEYS[2]
  Returns   1: forgotten; 0: it has changed ]]
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
redis.call('HDEL', KEYS[1], ARGV[1])
for i = 3, #ARGV do
  redis.call('HDEL', KEYS[2], ARGV[i])
end
return 1
