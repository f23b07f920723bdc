--[[ Included by the scripts that compare revisions; not a script of its own.

  Byte by byte, because Lua's own < follows the locale the server was started in. ]]
local function is_older(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then
      return x < y
    end
  end
  return #a < #b
end

-- Whether both are of one description of an order: the same time stamp and digest, whenever it was received.
local function is_same_state(a, b)
  local stamp, digest = string.match(a, '^(%d+)%.[%d.]+%.(%x+)%+?%d*$')
  if not stamp then
    return false
  end
  local other_stamp, other_digest = string.match(b, '^(%d+)%.[%d.]+%.(%x+)%+?%d*$')
  return stamp == other_stamp and digest == other_digest
end
