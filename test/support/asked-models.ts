import type { Projection, ReadModel, SqlRow, SqlValue } from '#kernel';
import { ReadDatabase } from '#kernel';
import { MemoryReadDatabase } from '#read-database';

type Named = Pick<Projection, 'name' | 'version' | 'schema'>;

/** Read models in memory that note which of them is asked for anything; what a projection reads of its own rows does not count. */
export class AskedModels extends ReadDatabase {
  readonly kept = new Set<string>();
  readonly asked = new Set<string>();
  private readonly inner = new MemoryReadDatabase();
  private readonly wrapped = new WeakMap<ReadModel, ReadModel>();

  override open(projection: Named): ReadModel {
    this.kept.add(projection.name);
    return this.noting(projection, this.inner.open(projection));
  }

  override openBeside(projection: Named): ReadModel {
    return this.noting(projection, this.inner.openBeside(projection));
  }

  override switchTo(projection: Named, current: ReadModel, built: ReadModel): ReadModel {
    return this.noting(projection, this.inner.switchTo(projection, this.innerOf(current), this.innerOf(built)));
  }

  override dropOlder(): void {
    this.inner.dropOlder();
  }

  override close(): void {
    this.inner.close();
  }

  private noting({ name }: Named, model: ReadModel): ReadModel {
    const note = (): ReadModel => {
      this.asked.add(name);
      return model;
    };
    const noting: ReadModel = {
      get checkpoint() {
        return model.checkpoint;
      },
      get: (sql: string, ...parameters: readonly SqlValue[]): SqlRow | undefined => note().get(sql, ...parameters),
      all: (sql: string, ...parameters: readonly SqlValue[]): SqlRow[] => note().all(sql, ...parameters),
      commit: (checkpoint, work) => {
        model.commit(checkpoint, work);
      },
      close: () => {
        model.close();
      },
    };
    this.wrapped.set(noting, model);
    return noting;
  }

  private innerOf(model: ReadModel): ReadModel {
    return this.wrapped.get(model) ?? model;
  }
}
