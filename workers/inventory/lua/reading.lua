--[[ Included by the scripts that read keys which somebody else may have written to; not a script of its own. ]]
local function corrupt(key, problem)
  error('CORRUPT ' .. key .. ': ' .. problem, 0)
end

local function read(command, key, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) == 'table' and reply.err then
    corrupt(key, reply.err)
  end
  return reply
end
