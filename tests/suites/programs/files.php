<?php
// Reads, writes, locks and children.
for ($i = 0; $i < 300; $i++) {
    file_put_contents("a", "line $i\n", LOCK_EX);
    if (file_get_contents("a") !== "line $i\n") {
        exit(1);
    }
}
echo shell_exec("cat a"), stat("a")["size"], "\n";
$process = proc_open(["cat"], [["pipe", "r"], ["pipe", "w"]], $pipes);
fwrite($pipes[0], str_repeat("x", 50000));
fclose($pipes[0]);
echo strlen(stream_get_contents($pipes[1])), " ", proc_close($process), "\n";
var_dump(@file_get_contents("absent"));
