import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { EventStore, ProcessRunner, ProjectionRunner } from '#kernel';
import type { RequestLine } from './pipeline.js';

const DURATION_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const LOOPBACK = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);

/** Figures are shown to this machine, and elsewhere to operators. */
export const isLoopback = (address: string): boolean => LOOPBACK.has(address);

/** Durations of requests, shared between the pipeline that measures and the registry that shows them. */
export class RequestMetrics {
  readonly registry = new Registry();
  private readonly durations = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the first byte read to the answer sent',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: DURATION_BUCKETS_S,
    registers: [this.registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  observe({ method, route = 'none', status, ms }: RequestLine): void {
    this.durations.observe({ method, route, status: String(status) }, ms / 1000);
  }
}

/** The service's figures for Prometheus: Node's own, requests, and how far every view and process is behind the log. */
@Injectable()
export class Metrics {
  constructor(
    private readonly requests: RequestMetrics,
    store: EventStore,
    projections: ProjectionRunner,
    processes: ProcessRunner,
  ) {
    const registers = [requests.registry];
    // Positions grow with every event, so the log's head counts what was appended.
    new Gauge({
      name: 'pledgebook_log_position',
      help: 'Position of the newest event',
      registers,
      async collect() {
        this.set(Number(await store.head()));
      },
    });
    new Gauge({
      name: 'pledgebook_projection_position',
      help: 'Position up to which a projection has read the log',
      labelNames: ['projection'] as const,
      registers,
      collect() {
        for (const { name, position } of projections.statuses()) this.set({ projection: name }, Number(position));
      },
    });
    new Gauge({
      name: 'pledgebook_projection_lag',
      help: 'Positions a projection is behind the log',
      labelNames: ['projection'] as const,
      registers,
      async collect() {
        const head = await store.head();
        for (const { name, position } of projections.statuses()) {
          this.set({ projection: name }, position > head ? 0 : Number(head - position));
        }
      },
    });
    new Gauge({
      name: 'pledgebook_projection_parked',
      help: '1 while a projection stands at an event it cannot apply',
      labelNames: ['projection'] as const,
      registers,
      collect() {
        for (const { name, parked } of projections.statuses())
          this.set({ projection: name }, parked === undefined ? 0 : 1);
      },
    });
    new Gauge({
      name: 'pledgebook_process_position',
      help: 'Position up to which a process has handled the log',
      labelNames: ['process'] as const,
      registers,
      collect() {
        for (const { name, position } of processes.statuses()) this.set({ process: name }, Number(position));
      },
    });
    new Gauge({
      name: 'pledgebook_process_stuck',
      help: 'Events a process keeps failing on',
      labelNames: ['process'] as const,
      registers,
      collect() {
        for (const { name, stuck } of processes.statuses()) this.set({ process: name }, stuck);
      },
    });
  }

  get mediaType(): string {
    return this.requests.registry.contentType;
  }

  text(): Promise<string> {
    return this.requests.registry.metrics();
  }
}
