--[[ Take the orders that are due for a while, so that one caller puts them back; what nobody finished comes again.

  KEYS[1]   waiting:{<shard>}     sorted set: order uid by due time, ms
  KEYS[2]   leased:{<shard>}      sorted set: order uid by end of lease, ms
  KEYS[3]   revisions:{<shard>}   hash: revision by order uid
  KEYS[4]   orders:{<shard>}      hash: the order's bytes by order uid
  KEYS[5]   woken:{<shard>}       hash: when it was first found due, ms, by order uid
  ARGV[1]   now, ms
  ARGV[2]   for how long the caller has them, ms
  ARGV[3]   how many at most
  Returns   per order four values: uid, revision, when it was first found due, its bytes. The time stays the same
            however often an order is taken, so that a repeat is the same to the byte ]]
local now, limit = ARGV[1], tonumber(ARGV[3])
local uids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, limit)
if #uids < limit then
  for _, uid in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, limit - #uids)) do
    uids[#uids + 1] = uid
  end
end
local taken = {}
for _, uid in ipairs(uids) do
  redis.call('ZREM', KEYS[1], uid)
  redis.call('ZADD', KEYS[2], now + ARGV[2], uid)
  redis.call('HSETNX', KEYS[5], uid, now)
  taken[#taken + 1] = uid
  taken[#taken + 1] = redis.call('HGET', KEYS[3], uid)
  taken[#taken + 1] = redis.call('HGET', KEYS[5], uid)
  taken[#taken + 1] = redis.call('HGET', KEYS[4], uid)
end
return taken
