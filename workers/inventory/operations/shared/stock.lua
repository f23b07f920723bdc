--[[ Included by the scripts that change stock; not a script of its own.

  Every script first reads and checks everything (the check phase) and only then writes: Redis does not roll back, so
  nothing after the first write may fail. Wrong types and numbers that are no whole numbers end a script with an error
  that begins with CORRUPT, before anything was written. ]]
-- @include revision.lua
-- @include reading.lua
local COUNTERS = { 'on_hand', 'held', 'committed', 'allocated', 'transfer', 'safety' }
local COUNTER_OF = { held = 2, committed = 3, allocated = 4 } -- the states of a live reservation, by counter

-- Only what INCR and HINCRBY would take: no spaces, no exponent, no leading zero, and far from overflow.
local function whole(text, key, field)
  if not text or text == '0' then
    return 0
  end
  if #text > 14 or not string.find(text, '^-?[1-9]%d*$') then
    corrupt(key, field .. ' is not a whole number')
  end
  return tonumber(text)
end

-- The counters, and as the seventh the time of the last count, ms since 1970.
local function read_counters(key)
  local counters = read('HMGET', key, 'on_hand', 'held', 'committed', 'allocated', 'transfer', 'safety', 'counted_at')
  for i = 1, 7 do
    counters[i] = whole(counters[i], key, COUNTERS[i] or 'counted_at')
  end
  return counters
end

local function available_to_promise(counters)
  return counters[1] - counters[2] - counters[3] - counters[4] - counters[5] - counters[6]
end

local function read_lines(text, key, field)
  local readable, lines = pcall(cjson.decode, text)
  if not readable or type(lines) ~= 'table' then
    corrupt(key, field .. ' are unreadable')
  end
  local units, skus = {}, 0
  for i = 1, #lines, 2 do
    units[lines[i]] = lines[i + 1]
    skus = skus + 1
  end
  return units, skus
end

-- units: what a live reservation holds; shipped: what has left under it, nil when nothing has.
local function read_reservation(key)
  local fields = read('HMGET', key, 'revision', 'fence', 'state', 'deadline', 'lines', 'shipped', 'stop')
  local found = {
    revision = fields[1] or '',
    fence = tonumber(fields[2] or 0),
    state = fields[3] or '',
    deadline = fields[4] or '0',
    lines = fields[5] or '[]',
    shipped_lines = fields[6],
    stop = fields[7] or '',
    had_stop = fields[7],
    units = {},
    skus = 0,
  }
  found.live = COUNTER_OF[found.state] ~= nil
  if not found.fence then
    corrupt(key, 'fence is not a number')
  end
  if found.live then
    found.units, found.skus = read_lines(fields[5] or '', key, 'lines')
  end
  if fields[6] then
    found.shipped = read_lines(fields[6], key, 'shipped lines')
  end
  return found
end

local function is_stale(found, revision, fence)
  return fence < found.fence or is_older(revision, found.revision)
end

-- The SKUs of KEYS[5..last], nil when the reservation has lines beyond them.
local function skus_in_keys(found, last)
  local skus, covered, from = {}, 0, #KEYS[2] - #'deadlines:' + #'stock:' + 2
  for i = 5, last or #KEYS do
    local sku = string.sub(KEYS[i], from)
    skus[i - 4] = sku
    if found.units[sku] then
      covered = covered + 1
    end
  end
  if covered == found.skus then
    return skus
  end
end

local function pack_lines(skus, units)
  local lines = {}
  for i = 1, #skus do
    if units[i] > 0 then
      lines[#lines + 1] = skus[i]
      lines[#lines + 1] = units[i]
    end
  end
  return #lines > 0 and cjson.encode(lines) or '[]', #lines > 0
end

local function nothing_of(skus)
  local none = {}
  for i = 1, #skus do
    none[i] = 0
  end
  return none
end

local function unknown_lines(found)
  local answer = { 'UNKNOWN_LINES' }
  for sku in pairs(found.units) do
    answer[#answer + 1] = sku
  end
  return answer
end

-- What must move when the reservation becomes `wanted` units per KEYS[5..] in `state` ('' gives all back).
-- moves: per SKU that changes { key, sku, counter, delta, ... }; available: per SKU what this order could have; enough.
local function plan_moves(found, skus, wanted, state)
  local from, to = COUNTER_OF[found.state], COUNTER_OF[state]
  local moves, available, enough = {}, {}, true
  for i = 1, #skus do
    local key, had, want = KEYS[i + 4], found.units[skus[i]] or 0, wanted[i]
    local counters = read_counters(key)
    local free = available_to_promise(counters)
    if had > 0 and counters[from] < had then
      corrupt(key, COUNTERS[from] .. ' is less than one of its reservations')
    end
    available[i] = had + math.max(0, free)
    enough = enough and (want <= had or want <= available[i])
    if from == to and want ~= had then
      moves[#moves + 1] = { key, skus[i], COUNTERS[to], want - had }
    elseif from ~= to and had + want > 0 then
      local move = { key, skus[i] }
      if had > 0 then
        move[#move + 1] = COUNTERS[from]
        move[#move + 1] = -had
      end
      if want > 0 then
        move[#move + 1] = COUNTERS[to]
        move[#move + 1] = want
      end
      moves[#moves + 1] = move
    end
  end
  return moves, available, enough
end

-- Proves that the keys every stock script writes besides counters are of the right type.
local function check_ledger(deadlines, outbox, sequence, order)
  if deadlines then
    read('ZSCORE', deadlines, order)
  end
  read('XLEN', outbox)
  whole(read('GET', sequence), sequence, 'the number')
end

-- From here on: the write phase.

local function publish(outbox, sequence, kind, moves, ...)
  local changes = {}
  for i = 1, #moves do
    local move, change = moves[i], {}
    for j = 2, #move do
      change[j - 1] = move[j]
    end
    changes[i] = change
  end
  local number = redis.call('INCR', sequence)
  local text = #changes > 0 and cjson.encode(changes) or '[]'
  redis.call('XADD', outbox, '*', 'sequence', number, 'kind', kind, 'changes', text, ...)
end

local function write_moves(moves)
  for i = 1, #moves do
    local move = moves[i]
    for j = 3, #move, 2 do
      redis.call('HINCRBY', move[1], move[j], move[j + 1])
    end
  end
end

-- Write the record as `found` now says it, and the event that tells of it: from these events alone every record can be
-- made again. remember: how long a record is kept that holds nothing, ms. message: the WMS's, when it caused this, and
-- moved_at: when on-hand units moved by it, ms since 1970.
local function save(found, order, kind, moves, remember, message, moved_at)
  local fence = string.format('%.0f', found.fence)
  redis.call('HSET', KEYS[1], 'revision', found.revision, 'fence', fence, 'state', found.state,
    'deadline', found.deadline, 'lines', found.lines)
  local told = { 'order', order, 'revision', found.revision, 'fence', fence, 'state', found.state,
    'deadline', found.deadline, 'lines', found.lines }
  local function also(field, value)
    redis.call('HSET', KEYS[1], field, value)
    told[#told + 1] = field
    told[#told + 1] = value
  end
  if found.shipped_lines then
    also('shipped', found.shipped_lines)
  end
  if found.stop ~= '' then
    also('stop', found.stop)
  elseif found.had_stop then
    redis.call('HDEL', KEYS[1], 'stop')
  end
  if message then
    redis.call('HSET', KEYS[1], 'wms:' .. message, kind == 'lost' and 'lost' or '1')
    for _, word in ipairs({ 'message', message, 'moved_at', string.format('%.0f', moved_at) }) do
      told[#told + 1] = word
    end
  end
  if COUNTER_OF[found.state] then
    redis.call('PERSIST', KEYS[1])
  else
    redis.call('PEXPIRE', KEYS[1], remember)
  end
  if found.state == 'held' and found.deadline ~= '0' then
    redis.call('ZADD', KEYS[2], found.deadline, order)
  else
    redis.call('ZREM', KEYS[2], order)
  end
  publish(KEYS[3], KEYS[4], kind, moves, unpack(told))
end
