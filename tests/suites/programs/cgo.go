// Calls made by C and by Go in one process: files, pipes, children and signals.
package main

/*
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *in_thread(void *name) {
    char text[8] = "";
    for (int i = 0; i < 500; i++) {
        int fd = open(name, O_RDONLY);
        if (read(fd, text, 5) != 5 || strcmp(text, "hello"))
            abort();
        close(fd);
    }
    return NULL;
}

static void by_threads(char *name) {
    pthread_t threads[8];
    for (int i = 0; i < 8; i++)
        pthread_create(&threads[i], NULL, in_thread, name);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
}
*/
import "C"

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"syscall"
)

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	must(os.WriteFile("a", []byte("hello"), 0o644))
	C.by_threads(C.CString("a"))
	signals := make(chan os.Signal, 100)
	signal.Notify(signals, syscall.SIGUSR1)
	var all sync.WaitGroup
	for i := 0; i < 8; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for j := 0; j < 300; j++ {
				text, err := os.ReadFile("a")
				must(err)
				if string(text) != "hello" {
					panic(text)
				}
			}
			must(syscall.Kill(os.Getpid(), syscall.SIGUSR1))
		}()
	}
	all.Wait()
	fmt.Println(<-signals)
	for i := 0; i < 20; i++ {
		text, err := exec.Command("cat", "a").Output()
		must(err)
		fmt.Println(i, string(text))
	}
}
