import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KafkaBroker, partitionOf } from '#bus-kafka';
import { startKafka } from '../../infra/local-brokers/kafka.js';
import { freshTopics } from './topics.js';

const folder = mkdtempSync(join(tmpdir(), 'local-brokers-'));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('a local broker', () => {
  it('keeps its data and its port through a kill and a restart, and leaves nothing behind when it stops', async () => {
    const kafka = await startKafka({ folder: join(folder, 'kept') });
    const names = await freshTopics(kafka.brokers);
    const topic = names.restricted('counter');
    const broker = new KafkaBroker({ brokers: [kafka.brokers] });
    const producer = broker.producer();
    const message = { topic, key: 'counter-1', headers: {}, value: 'x' };
    await producer.send([message, message]);
    await kafka.kill();
    await expect(producer.send([message])).rejects.toMatchObject({ name: 'BrokerError' });
    await kafka.restart();
    const [sent] = await producer.send([message]);
    expect(sent).toEqual({ topic, partition: partitionOf('counter-1', 3), offset: 2n });
    await producer.close();
    await broker.close();
    const { pid } = kafka;
    await kafka.stop();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(existsSync(join(folder, 'kept', 'data'))).toBe(true);
  });

  it('says which port it cannot have', async () => {
    const kafka = await startKafka();
    try {
      await expect(startKafka({ port: kafka.port })).rejects.toThrow(`port ${kafka.port} of 127.0.0.1 cannot be used`);
    } finally {
      await kafka.stop();
    }
  });
});

describe('npm run kafka', () => {
  const command = (
    args: readonly string[],
    environment: NodeJS.ProcessEnv,
  ): Promise<{ code: number; stderr: string }> =>
    new Promise((resolve) => {
      const env = { ...process.env, ...environment };
      execFile(process.execPath, ['dist/infra/local-brokers/main.js', ...args], { env }, (error, _, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, stderr });
      });
    });

  it('says that Java is missing, and what to do', async () => {
    const { code, stderr } = await command([], { JAVA_HOME: join(folder, 'no-java') });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^A Kafka broker needs Java 17 or newer, and ".*no-java.bin.java" does not run: install .* or set KAFKA_BROKERS/,
    );
  });

  it('says that Maven is missing, where it has not fetched the broker before', async () => {
    // A path with java alone on it.
    symlinkSync(execFileSync('which', ['java']).toString().trim(), join(folder, 'java'));
    const { code, stderr } = await command(['--cache', join(folder, 'cache')], { PATH: folder });
    expect(code).toBe(1);
    expect(stderr).toMatch(/is fetched by Maven, and "mvn" does not run: install Maven .* or set KAFKA_BROKERS/);
  });

  it('names an option that is wrong', async () => {
    expect(await command(['--port', 'x'], {})).toEqual({
      code: 2,
      stderr: '--port is x, not a port: give a number from 1 to 65535\n',
    });
  });
});
