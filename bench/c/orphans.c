/* orphans N: makes N processes whose parent is gone, and that end at once.
 *
 * Each is the child of a child that ends without waiting for it, so that the
 * nearest subreaper, or process 1, has to. When all are made it tells its pid on
 * the FIFO named by BENCH_FIFO and stays.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	for (long i = argc > 1 ? atol(argv[1]) : 1; i > 0; i--) {
		pid_t middle = fork();
		if (middle < 0) {
			usleep(1000);
			i++;
			continue;
		}
		if (middle == 0) {
			pid_t me = getpid();
			pid_t orphan;
			while ((orphan = fork()) < 0)
				usleep(1000);
			if (orphan == 0)
				while (getppid() == me)
					usleep(50);
			_exit(0);
		}
		waitpid(middle, NULL, 0);
	}
	const char *path = getenv("BENCH_FIFO");
	int pid = getpid();
	int fd = path ? open(path, O_WRONLY) : -1;
	if (fd < 0 || write(fd, &pid, sizeof pid) != sizeof pid)
		return 1;
	for (;;)
		pause();
}
