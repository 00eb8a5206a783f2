import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.IntStream;

/** Reads and writes files by many threads, and runs children. */
class ManyFiles {
    static String written(int each) {
        try {
            Path path = Path.of("file" + each);
            for (int i = 0; i < 50; i++) {
                Files.writeString(path, "line " + i + "\n");
                if (!Files.readString(path).equals("line " + i + "\n")) {
                    throw new AssertionError(path);
                }
            }
            return path + " " + Files.size(path);
        } catch (IOException e) {
            throw new RuntimeException(e);
        }
    }

    public static void main(String[] args) throws Exception {
        IntStream.range(0, 40)
            .parallel()
            .mapToObj(ManyFiles::written)
            .sorted()
            .forEachOrdered(System.out::println);
        for (int i = 0; i < 5; i++) {
            Process child = new ProcessBuilder("cat", "file" + i).start();
            System.out.print(new String(child.getInputStream().readAllBytes()));
            System.out.println(child.waitFor());
        }
        System.gc();
    }
}
