# Reads and writes by threads, children, pipes, signals.
threads = (0...8).map do |each|
  Thread.new do
    200.times do |i|
      File.write("file#{each}", "line #{i}\n")
      raise unless File.read("file#{each}") == "line #{i}\n"
    end
  end
end
threads.each(&:join)
puts Dir.children(".").sort
got = 0
trap("USR1") { got += 1 }
10.times { Process.kill("USR1", Process.pid); sleep 0.001 }
puts got
5.times { |i| puts IO.popen(["cat", "file#{i}"], &:read) }
reader, writer = IO.pipe
child = fork { reader.close; writer.write("x" * 100_000) }
writer.close
puts reader.read.size
Process.wait(child)
puts $?.exitstatus
begin
  File.read("absent")
rescue => error
  puts error.message
end
