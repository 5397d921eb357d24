// An event store that cannot start: one clear line on stderr, exit code 1.
console.error('event store: the log is damaged at position 42');
process.exitCode = 1;
