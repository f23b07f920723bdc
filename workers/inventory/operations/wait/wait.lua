--[[ Put an order on the list of those that wait for stock, or renew its entry.

  KEYS[1]   waiting:{waiting}           hash: order uid -> entry, JSON: revision, wants ("<warehouse>/<sku>" ...), and more
  KEYS[2]   waiting-ages:{waiting}      sorted set: order uid by when it was placed, ms
  KEYS[3]   waiting-wants:{waiting}     hash: "<warehouse>/<sku>" -> how many entries could use it
  KEYS[4]   waiting-in-hand:{waiting}   sorted set: order uid by until when nobody else may let it through, ms
  ARGV[1]   order uid
  ARGV[2]   revision
  ARGV[3]   when it was placed, ms since 1970
  ARGV[4]   entry
  ARGV[5]   for how long it is not let through, ms; 0 = at once
  Returns   { outcome }
    WAITING   it is on the list
    STALE     a newer revision of it waits already ]]
-- @include workers.inventory.operations.shared:revision.lua
-- @include workers.inventory.operations.shared:waiting.lua
local before = read_entry(ARGV[1])
if before and is_older(ARGV[2], before.revision) then
  return { 'STALE' }
end
local entry = cjson.decode(ARGV[4])
if before then
  count_wants(before, -1)
end
count_wants(entry, 1)
redis.call('HSET', KEYS[1], ARGV[1], ARGV[4])
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
if ARGV[5] == '0' then
  redis.call('ZREM', KEYS[4], ARGV[1])
else
  redis.call('ZADD', KEYS[4], from_now(ARGV[5]), ARGV[1])
end
return { 'WAITING' }
