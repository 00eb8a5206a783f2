import java.nio.file.*
var path = Path.of("a")
for (int i = 0; i < 60; i++) { Files.writeString(path, "line " + i); }
System.out.println(Files.readString(path))
/exit
