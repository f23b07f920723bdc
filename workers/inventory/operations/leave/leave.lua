--[[ Take an order off the list of those that wait for stock, unless a newer revision of it waits.

  KEYS[1]   waiting:{waiting}           hash: order uid -> entry, JSON: revision, wants ("<warehouse>/<sku>" ...), and more
  KEYS[2]   waiting-ages:{waiting}      sorted set: order uid by when it was placed, ms
  KEYS[3]   waiting-wants:{waiting}     hash: "<warehouse>/<sku>" -> how many entries could use it
  KEYS[4]   waiting-in-hand:{waiting}   sorted set: order uid by until when nobody else may let it through, ms
  ARGV[1]   order uid
  ARGV[2]   revision that has no need to wait
  Returns   { outcome }
    LEFT      it is off the list
    ABSENT    it was not on it
    STALE     a newer revision waits ]]
-- @include workers.inventory.operations.shared:revision.lua
-- @include workers.inventory.operations.shared:waiting.lua
local entry = read_entry(ARGV[1])
if not entry then
  return { 'ABSENT' }
end
if is_older(ARGV[2], entry.revision) then
  return { 'STALE' }
end
count_wants(entry, -1)
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
return { 'LEFT' }
