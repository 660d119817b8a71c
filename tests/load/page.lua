-- wrk script: open the member pages of many launches, one after another. Arguments: a file with one
-- "address cookie" a line, and a header for all.
local pages = {}
local threads = 0

function setup(thread)
  thread:set("first", threads)
  threads = threads + 1
end

function init(args)
  for line in io.lines(args[1]) do
    local path, cookie = line:match("(%S+) (%S+)")
    pages[#pages + 1] = wrk.format("GET", path, {Cookie = "launch=" .. cookie})
  end
  number = first * math.floor(#pages / 2)
end

function request()
  number = number % #pages + 1
  return pages[number]
end

function done(summary, latency, requests)
  io.write(string.format("RESULT %f %f %f %d\n", summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1000, latency:percentile(99) / 1000, summary.errors.status))
end
