--[[ Included by the scripts that move on-hand units; not a script of its own.

  A count says what was there at one moment. What moved before it is in the count already; what moved after it must be
  applied to it, also when the count comes late. So every movement of on-hand units is kept for a while with its time. ]]

-- The change of on-hand units that a movement at this time makes: none when a later count has seen it.
local function unless_counted(counters, at, units)
  return at > counters[7] and units or 0
end

-- What a WMS means that names no units: all that its instruction asked for and is here still. told: -1 = not known.
local function all_of(had, told, left_before)
  return told < 0 and had or math.min(had, math.max(0, told - left_before))
end

local function check_moved(first)
  for i = first, #KEYS do
    read('ZCARD', KEYS[i])
  end
end

-- From here on: the write phase.

-- keep: how long movements are kept for counts that come late, ms
local function write_moved(key, at, units, name, keep)
  if units ~= 0 then
    redis.call('ZADD', key, at, string.format('%d', units) .. ':' .. name)
    redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', at - keep))
  end
end
