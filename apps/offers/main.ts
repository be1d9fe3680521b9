import 'reflect-metadata';
import { runService } from '#distributed';

runService('offers', 3102);
