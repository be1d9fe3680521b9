export default async () => {
  await globalThis.startedServers.stop();
};
