--[[ Keep an order until it is due, instead of any older revision of it that is kept.

  KEYS[1]   waiting:{<shard>}     sorted set: order uid by due time, ms
  KEYS[2]   leased:{<shard>}      sorted set: order uid by end of lease, ms: being put back just now
  KEYS[3]   revisions:{<shard>}   hash: revision by order uid
  KEYS[4]   orders:{<shard>}      hash: the order's bytes by order uid
  KEYS[5]   woken:{<shard>}       hash: when it was first found due, ms, by order uid
  ARGV[1]   order uid
  ARGV[2]   revision
  ARGV[3]   due time, ms; "" when only the platform can tell: then an older revision is given up and nothing kept
  ARGV[4]   the order's bytes
  Returns   { outcome }
    KEPT      it is kept
    ALREADY   this revision is kept
    STALE     a newer one is kept
    DROPPED   nothing of this order is kept now ]]
-- @include workers.inventory.operations.shared:revision.lua
local uid, revision = ARGV[1], ARGV[2]
local kept = redis.call('HGET', KEYS[3], uid)
if kept == revision then
  return { 'ALREADY' }
end
if kept and is_older(revision, kept) then
  return { 'STALE' }
end
redis.call('ZREM', KEYS[2], uid)
redis.call('HDEL', KEYS[5], uid)
if ARGV[3] == '' then
  redis.call('ZREM', KEYS[1], uid)
  redis.call('HDEL', KEYS[3], uid)
  redis.call('HDEL', KEYS[4], uid)
  return { 'DROPPED' }
end
redis.call('ZADD', KEYS[1], ARGV[3], uid)
redis.call('HSET', KEYS[3], uid, revision)
redis.call('HSET', KEYS[4], uid, ARGV[4])
return { 'KEPT' }
