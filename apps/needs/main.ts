import 'reflect-metadata';
import { runService } from '#distributed';

runService('needs', 3101);
