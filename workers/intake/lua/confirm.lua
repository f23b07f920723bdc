--[[ Remember that Kafka has these states, and when to read their orders again. One that was overtaken is left alone.

  KEYS[1]  intake-open:{<channel>/<shop>}       hash: see assign.lua
  KEYS[2]  intake-open-due:{<channel>/<shop>}   sorted set: order id by the time when it is to be read again
  ARGV[1..]  id, stamp, edition, digest, flag (C or Z), time of the next reading of each, unix ms
  Returns  "#marks": how often pushes marked an entry so far ]]
local open, due = KEYS[1], KEYS[2]
for place = 1, #ARGV, 6 do
  local id, stamp, edition, digest = ARGV[place], ARGV[place + 1], ARGV[place + 2], ARGV[place + 3]
  local known = redis.call('HGET', open, id)
  if known then
    local its_stamp, its_edition, _, since, mark, its_digest = string.match(known, '^(%d+) (%d+) (%a) (%d+) (%d+) (.*)$')
    if its_stamp == stamp and its_edition == edition and its_digest == digest then
      local value = string.format('%s %s %s %s %s %s', stamp, edition, ARGV[place + 4], since, mark, digest)
      redis.call('HSET', open, id, value)
      redis.call('ZADD', due, ARGV[place + 5], id)
    end
  end
end
return tonumber(redis.call('HGET', open, '#marks') or 0)
