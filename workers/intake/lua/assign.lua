--[[ Say as of which edition each state of an order that was read is to be published, and remember it as pending.

  A platform that changes an order without moving its modify time makes another edition of the same stamp. A state is
  pending until `confirm` says that Kafka has it: asked again before that, it gets the same edition.

  KEYS[1]  intake-open:{<channel>/<shop>}       hash: order id -> "<stamp> <edition> <flag> <since> <mark> <digest>"
                                                flag: P pending, C confirmed, Z confirmed and final; times in unix ms;
                                                "#marks" -> how often pushes marked an entry
  KEYS[2]  intake-open-due:{<channel>/<shop>}   sorted set: order id by the time when it is to be read again
  KEYS[3]  intake-fence:{<channel>/<shop>}      integer: the greatest fencing number handed out
  ARGV[1]  the caller's fencing number   ARGV[2] now, unix ms   ARGV[3] "#marks" when the reading began
  ARGV[4..]  id, stamp, digest of each
  Returns  "FENCED", or two numbers for each: its edition and whether it is confirmed already.
           Edition -1: older than what is known. Edition -2: a push came while it was read; it is to be read again ]]
local open, due = KEYS[1], KEYS[2]
if (redis.call('GET', KEYS[3]) or '') ~= ARGV[1] then
  return 'FENCED'
end
local now, marks = ARGV[2], tonumber(ARGV[3])
local answer = {}
for place = 4, #ARGV, 3 do
  local id, stamp, digest = ARGV[place], ARGV[place + 1], ARGV[place + 2]
  local known = redis.call('HGET', open, id)
  local edition, confirmed, write = 0, 0, true
  if known then
    local its_stamp, its_edition, flag, _, mark, its_digest = string.match(known, '^(%d+) (%d+) (%a) (%d+) (%d+) (.*)$')
    if tonumber(stamp) < tonumber(its_stamp) then
      edition, write = -1, false
    elseif tonumber(stamp) == tonumber(its_stamp) then
      edition = tonumber(its_edition)
      if digest == its_digest then
        confirmed, write = flag ~= 'P' and 1 or 0, false
      elseif tonumber(mark) > marks then
        edition, write = -2, false
        redis.call('ZADD', due, now, id)
      else
        edition = math.min(edition + 1, 999)
      end
    end
  end
  if write then
    redis.call('HSET', open, id, string.format('%s %d P %s 0 %s', stamp, edition, now, digest))
    redis.call('ZADD', due, now, id)
  end
  answer[#answer + 1] = edition
  answer[#answer + 1] = confirmed
end
return answer
