import 'reflect-metadata';
import { runService } from '#distributed';

runService('commitments', 3103);
