import 'reflect-metadata';
import { runService } from '#distributed';

runService('audit', 3105);
