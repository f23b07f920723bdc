--[[ Included by the scripts that keep the list of orders that wait for stock; not a script of its own. ]]
local function read_entry(order)
  local text = redis.call('HGET', KEYS[1], order)
  return text and cjson.decode(text)
end

-- So that a look for stock that came reads only what somebody waits for.
local function count_wants(entry, by)
  for i = 1, #entry.wants do
    if redis.call('HINCRBY', KEYS[3], entry.wants[i], by) < 1 then
      redis.call('HDEL', KEYS[3], entry.wants[i])
    end
  end
end

-- By the clock of this server: all who look at the list share it.
local function from_now(ms)
  local now = redis.call('TIME')
  return string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000) + tonumber(ms))
end
