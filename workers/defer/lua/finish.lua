--[[ Give up an order that was put back or has moved on, unless a newer revision of it is kept by now.

  KEYS[1]   waiting:{<shard>}     sorted set: order uid by due time, ms
  KEYS[2]   leased:{<shard>}      sorted set: order uid by end of lease, ms
  KEYS[3]   revisions:{<shard>}   hash: revision by order uid
  KEYS[4]   orders:{<shard>}      hash: the order's bytes by order uid
  KEYS[5]   woken:{<shard>}       hash: when it was first found due, ms, by order uid
  ARGV[1]   order uid
  ARGV[2]   revision
  Returns   { outcome }
    FINISHED   nothing of this order is kept now
    REPLACED   another revision is kept, or none was ]]
local uid = ARGV[1]
if redis.call('HGET', KEYS[3], uid) ~= ARGV[2] then
  return { 'REPLACED' }
end
redis.call('ZREM', KEYS[1], uid)
redis.call('ZREM', KEYS[2], uid)
for i = 3, 5 do
  redis.call('HDEL', KEYS[i], uid)
end
return { 'FINISHED' }
