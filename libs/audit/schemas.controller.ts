import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { HttpAnswer, notFound, RouteAction } from '#web';
import { SchemasQuery } from './audit.dto.js';
import { EVENT_SCHEMAS } from './event-schemas.data.js';

const SCHEMA_JSON = 'application/schema+json';
// A version may still gain optional fields.
const CACHED = { 'cache-control': 'public, max-age=3600' };

const pathOf = (type: string, schema: number): string => `/v1/schemas/${type}/${schema}`;

/** The shape of every event ever written: an auditor can check the log against it without our code. */
@ApiTags('audit')
@Controller('v1/schemas')
export class SchemasController {
  @Get()
  @RouteAction({
    action: 'schema.list',
    anonymous: true,
    example: { items: [{ type: 'CommitmentBound', schema: 1, uri: '/v1/schemas/CommitmentBound/1' }], next: null },
  })
  list(@Query() { type }: SchemasQuery): HttpAnswer {
    const items = EVENT_SCHEMAS.filter((each) => type === undefined || each.type === type).map((each) => ({
      type: each.type,
      schema: each.schema,
      uri: pathOf(each.type, each.schema),
    }));
    return new HttpAnswer(200, CACHED, { items, next: null });
  }

  /** The JSON Schema (draft-07) of the `data` of one event type in one version; `metadata` is what stands beside it. */
  @Get(':type/:version')
  @RouteAction({ action: 'schema.read', anonymous: true, produces: [SCHEMA_JSON] })
  one(@Param('type') type: string, @Param('version') version: string): HttpAnswer {
    const found = EVENT_SCHEMAS.find((each) => each.type === type && String(each.schema) === version);
    if (found === undefined) throw notFound();
    const headers = { ...CACHED, 'content-type': SCHEMA_JSON };
    return new HttpAnswer(200, headers, { $id: pathOf(type, found.schema), ...found.jsonSchema });
  }
}
