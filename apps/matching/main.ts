import 'reflect-metadata';
import { runService } from '#distributed';

runService('matching', 3104);
