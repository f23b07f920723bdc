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
