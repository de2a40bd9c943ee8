/* loop [-look] N PROGRAM: what a launcher cannot be faster than.
 *
 * vfork and exec N times; at TERM kill(2) each child and wait for each. With
 * -look each child's /proc/PID/status is read before its signal, as one must
 * that wants to know who catches what.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void look(pid_t pid)
{
	static char text[8192];
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	if (read(fd, text, sizeof text) < 0)
		text[0] = 0;
	close(fd);
}

static pid_t spawn(char *program)
{
	char *args[] = {program, NULL};
	sigset_t none;
	sigemptyset(&none);
	pid_t pid = vfork();
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, &none, NULL);
		setsid();
		execve(program, args, environ);
		_exit(127);
	}
	return pid;
}

int main(int argc, char **argv)
{
	int looks = argc > 1 && strcmp(argv[1], "-look") == 0;
	argv += looks;
	argc -= looks;
	if (argc != 3)
		return 2;
	int n = atoi(argv[1]);
	pid_t *pids = calloc(n, sizeof *pids);
	sigset_t term;
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	for (int i = 0; i < n; i++)
		if ((pids[i] = spawn(argv[2])) < 0)
			return 1;
	int sig;
	sigwait(&term, &sig);
	for (int i = 0; i < n; i++) {
		if (looks)
			look(pids[i]);
		kill(pids[i], SIGTERM);
	}
	for (int i = 0; i < n; i++)
		waitpid(pids[i], NULL, 0);
	return 0;
}
