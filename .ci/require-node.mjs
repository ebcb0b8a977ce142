// Stops a script that runs on another Node than the pinned one, and prints the command that repairs it.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    `This runs on the pinned Node 24 but found ${process.version}. Run: npm rebuild node (npm removes its binary when it installs other packages).`,
  );
  process.exit(1);
}
