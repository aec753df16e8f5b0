/** Starts the servers that integration tests share. */
export default async function globalSetup(): Promise<void> {}
