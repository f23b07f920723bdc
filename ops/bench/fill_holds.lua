--[[ Make many holds like one that is there: for measuring, on a Redis of one node that is thrown away.

  KEYS[1]   reservation:{<warehouse>}:<order uid>   the hold to copy
  KEYS[2]   order:{<order uid>}                     its order
  KEYS[3]   deadlines:{<warehouse>}                 sorted set: order uid by deadline
  KEYS[4]   stock:{<warehouse>}:<sku>               the counters of its only SKU
  ARGV[1]   order uid
  ARGV[2]   number of the first copy, which its uid ends with
  ARGV[3]   how many
  ARGV[4]   deadline, ms
  Returns   the number of copies ]]
local reservation, pointer = redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2])
local prefix = string.sub(KEYS[1], 1, #KEYS[1] - #ARGV[1])
local units = cjson.decode(redis.call('HGET', KEYS[1], 'lines'))[2]
for i = 1, #reservation, 2 do
  if reservation[i] == 'deadline' then
    reservation[i + 1] = ARGV[4]
  end
end
for i = 0, ARGV[3] - 1 do
  local uid = ARGV[1] .. string.format('%d', ARGV[2] + i)
  redis.call('HSET', prefix .. uid, unpack(reservation))
  redis.call('HSET', 'order:{' .. uid .. '}', unpack(pointer))
  redis.call('ZADD', KEYS[3], ARGV[4], uid)
end
redis.call('HINCRBY', KEYS[4], 'held', units * ARGV[3])
return ARGV[3]
