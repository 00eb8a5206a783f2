-- Reads, writes and children, in code that LuaJIT compiles; and calls by its FFI.
local ffi = require("ffi")
ffi.cdef("int open(const char *, int, ...); int close(int); long read(int, void *, size_t);")
for i = 1, 300 do
    local file = assert(io.open("a", "w"))
    file:write("line ", i, "\n")
    file:close()
    for line in io.lines("a") do
        assert(line == "line " .. i)
    end
end
local buffer = ffi.new("char[16]")
for i = 1, 20000 do
    local fd = ffi.C.open("a", 0)
    assert(ffi.C.read(fd, buffer, 16) == 9)
    ffi.C.close(fd)
end
print(ffi.string(buffer, 9))
print(io.popen("cat a"):read("*a"))
print(pcall(io.lines, "absent"))
