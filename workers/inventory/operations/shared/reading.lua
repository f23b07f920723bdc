--[[ Included by the scripts that read keys which somebody else may have written to; not a script of its own. ]]
local function corrupt(key, problem)
  error('CORRUPT ' .. key .. ': ' .. problem, 0)
end

local function read(command, key, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) == 'table' and reply.err then
    if not string.find(reply.err, 'WRONGTYPE', 1, true) then
      error(reply.err, 0) -- trouble of the server, such as a right that is missing: the key is not to blame
    end
    corrupt(key, reply.err)
  end
  return reply
end
